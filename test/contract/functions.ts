// What the cases call. `packaged` makes one file of it as the packager makes those of Lambda.
export { getState } from '../../functions/getState/handler.ts';
export { reconcileState } from '../../functions/reconcileState/handler.ts';
export { startVm } from '../../functions/startVm/handler.ts';
export { stopVm } from '../../functions/stopVm/handler.ts';
export { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
export { parseCommand } from '../../shared/domain/command.ts';
export { connect } from '../../shared/entry/connect.ts';
export { lambda } from '../../shared/entry/entry.ts';
export { serve } from '../../shared/entry/serve.ts';
export { executeCommand } from '../../shared/execute/command.ts';
export { adopt, release } from '../../shared/lifecycle/adopt.ts';
export { silentLog } from '../../shared/report/log.ts';
export { silentMetrics } from '../../shared/report/metrics.ts';
export { prometheusMetrics } from '../../shared/report/prometheus.ts';
