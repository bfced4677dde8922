/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seeds.h - seeds of a simulation: SIM_SEEDS of them from SIM_SEED on, by the environment. */
#ifndef XB_SIM_SEEDS_H
#define XB_SIM_SEEDS_H

/** A number of the environment, or `otherwise` where it is not set. */
unsigned int sim_setting(const char *name, unsigned int otherwise);
/** Runs each seed, n of them unless the environment says otherwise. Each is printed before it runs,
 * so that it is known when it fails; what the code under test logs is not. */
void sim_each_seed(unsigned int n, void (*run)(unsigned int seed));

#endif
