/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame-build.c - frames for tests, see frame-build.h. */
#include "frame-build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

uint64_t seed = 20240607;

uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

const struct spec tcp4 = {.version = 4, .proto = IPPROTO_TCP, .seq = 1000, .flags = ACK};
const struct spec tcp6 = {.version = 6, .proto = IPPROTO_TCP, .seq = 1000, .flags = ACK};
const struct spec udp4 = {.version = 4, .proto = IPPROTO_UDP};
const struct spec udp6 = {.version = 6, .proto = IPPROTO_UDP};

void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

uint16_t ref_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

static size_t build_ipv4(const struct spec *s, uint8_t *out, size_t off, size_t l4_bytes,
			 struct layout *at)
{
	uint8_t *ip = out + off;
	const size_t header = 20 + s->ip_options;

	memset(ip, 1, header); /* options: NOPs */
	ip[0] = (uint8_t)(0x40 | header / 4);
	ip[1] = 0;
	put16(ip + 2, (uint32_t)(header + l4_bytes));
	put16(ip + 4, s->ip_id);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = s->proto;
	memcpy(ip + 12, "\x0a\x01\x02\x03\xc0\xa8\xff\x09", 8);
	put16(ip + 10, 0);
	put16(ip + 10, 0xffffu & ~ref_sum(0, ip, header));
	at->pseudo = ref_sum(ref_sum(s->proto, ip + 12, 8), (uint8_t[]){0, 0}, 2);
	at->pseudo =
		ref_sum(at->pseudo, (uint8_t[]){(uint8_t)(l4_bytes >> 8), (uint8_t)l4_bytes}, 2);
	return off + header;
}

static size_t build_ipv6(const struct spec *s, uint8_t *out, size_t off, size_t l4_bytes,
			 struct layout *at)
{
	const uint8_t *dst = out + off + 24;
	uint8_t *ip = out + off, *next = ip + 6;
	size_t header = 40;

	memset(ip, 0, 40);
	ip[0] = 0x60;
	ip[7] = 64;
	for (unsigned int i = 8; i < 40; i++)
		ip[i] = (uint8_t)(i * 7 + s->version);
	if (s->routing) { /* SRv6 with two segments, one left: the first of the list is the end */
		uint8_t *h = ip + header;

		memset(h, 0, 40);
		h[1] = 4;
		h[2] = 4;
		h[3] = 1;
		for (unsigned int i = 8; i < 40; i++)
			h[i] = (uint8_t)(i * 11);
		dst = h + 8;
		*next = IPPROTO_ROUTING;
		next = h;
		header += 40;
	}
	if (s->ip_options) {
		uint8_t *h = ip + header;

		memset(h, 0, s->ip_options);
		h[1] = (uint8_t)(s->ip_options / 8 - 1);
		*next = IPPROTO_DSTOPTS;
		next = h;
		header += s->ip_options;
	}
	*next = s->proto;
	put16(ip + 4, (uint32_t)(header - 40 + l4_bytes));
	at->pseudo = ref_sum(ref_sum(s->proto, ip + 8, 16), dst, 16);
	at->pseudo =
		ref_sum(at->pseudo, (uint8_t[]){(uint8_t)(l4_bytes >> 8), (uint8_t)l4_bytes}, 2);
	return off + header;
}

size_t build(const struct spec *s, const uint8_t *payload, size_t n, uint8_t *out,
	     struct layout *at)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	const size_t l4_header = s->proto == IPPROTO_TCP ? 20 + s->tcp_options : 8;
	const size_t l4_bytes = l4_header + n;
	size_t off = 12;
	uint16_t csum;
	uint8_t *l4;

	memcpy(out, macs, sizeof(macs));
	for (unsigned int i = 0; i < s->n_vlans; i++, off += 4) {
		put16(out + off, i + 1 < s->n_vlans ? 0x88a8 : 0x8100);
		put16(out + off + 2, 0x2064 + i);
	}
	put16(out + off, s->version == 4 ? 0x0800 : 0x86dd);
	at->l3 = off + 2;
	at->l4 = s->version == 4 ? build_ipv4(s, out, at->l3, l4_bytes, at)
				 : build_ipv6(s, out, at->l3, l4_bytes, at);
	at->payload = at->l4 + l4_header;
	l4 = out + at->l4;
	memset(l4, 1, l4_header);
	put16(l4, 40000);
	put16(l4 + 2, 80);
	if (s->proto == IPPROTO_TCP) {
		put16(l4 + 4, s->seq >> 16);
		put16(l4 + 6, s->seq & 0xffff);
		l4[12] = (uint8_t)(l4_header / 4 << 4);
		l4[13] = s->flags;
	} else {
		put16(l4 + 4, (uint32_t)l4_bytes);
	}
	if (n)
		memcpy(l4 + l4_header, payload, n);
	put16(l4 + (s->proto == IPPROTO_TCP ? 16 : 6), 0);
	csum = (uint16_t)~ref_sum(at->pseudo, l4, l4_bytes);
	if (s->proto == IPPROTO_UDP && csum == 0)
		csum = 0xffff;
	put16(l4 + (s->proto == IPPROTO_TCP ? 16 : 6), csum);
	return at->payload + n;
}

struct spec random_spec(uint8_t proto)
{
	struct spec s = {.version = rnd(2) ? 4 : 6,
			 .n_vlans = rnd(3),
			 .proto = proto,
			 .tcp_options = rnd(11) * 4,
			 .ip_id = (uint16_t)rnd(65536),
			 .seq = rnd(2) ? UINT32_MAX - rnd(50000) : rnd(UINT32_MAX),
			 .flags = (uint8_t)(ACK | (rnd(2) ? FIN : 0) | (rnd(2) ? PSH : 0) |
					    (rnd(2) ? CWR : 0))};

	s.ip_options = s.version == 4 ? rnd(11) * 4 : rnd(4) * 8;
	s.routing = s.version == 6 && rnd(4) == 0;
	return s;
}

uint8_t *exact(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	if (n)
		memcpy(copy, bytes, n);
	return copy;
}

void parse_exact(const uint8_t *bytes, size_t n, struct frame_info *info)
{
	uint8_t *copy = exact(bytes, n);
	const bool parsed = frame_parse(copy, n, n, info);

	free(copy);
	assert_true(parsed);
}
