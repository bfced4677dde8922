# SPDX-License-Identifier: GPL-2.0-or-later
# A random file of 100 MB arrives unchanged in both directions (sha256).
# lab: flavour=fast backend=team timeout=200
# shellcheck shell=bash

GUEST_MEMORY=320
want=$(hostctl file)
create_guest guest11
expect "guest reaches the outside host" ping_outside guest11
started=$SECONDS
got=$(DOMU_TIMEOUT=90 domu guest11 \
    "socat -u TCP:$OUTSIDE4:8000 CREATE:/tmp/file && sha256sum </tmp/file | cut -d' ' -f1")
expect "download is unchanged (got ${got:-nothing})" test "$got" = "$want"
log "download and hash: $((SECONDS - started)) s"
started=$SECONDS
got=$(DOMU_TIMEOUT=90 domu guest11 "socat -t 60 /tmp/file!!STDOUT TCP:$OUTSIDE4:8001 | cut -d' ' -f1")
expect "upload is unchanged (outside host got ${got:-nothing})" test "$got" = "$want"
log "upload: $((SECONDS - started)) s"
