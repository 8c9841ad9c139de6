/* What /metrics tells of workers, asked of them every few seconds. Private to fleet. */
#ifndef WEIR_CONTROLLER_FLEET_FLEET_METRICS_H
#define WEIR_CONTROLLER_FLEET_FLEET_METRICS_H

#include "controller/fleet/fleet_worker.h"

MUST_CHECK enum err fleet_metrics_open(struct fleet *f);
void fleet_metrics_close(struct fleet *f);
/* Asks a running worker for its counters. */
void fleet_metrics_ask(struct fleet_worker *w);
/* Sets what the controller itself knows. */
void fleet_metrics_update(struct fleet_worker *w);

#endif
