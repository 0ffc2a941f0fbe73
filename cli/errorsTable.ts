import { writeFileSync } from 'node:fs';

import { failureCodes, failures } from '../shared/domain/errors.ts';
import { skipReasons } from '../shared/domain/outcome.ts';

const skips: Record<(typeof skipReasons)[number], string> = {
  Protected: 'The annotation `lifecycle.novasphere.dev/protected` forbids to stop this VM.',
  Override: 'An annotation `keep-running-until` or `keep-stopped-until` holds.',
  Stale: 'The command came after its `notAfter`.',
  NotDue: 'Nothing was due.',
  DryRun: 'The command said `dryRun`; KubeVirt was asked what it would do, and nothing was written.',
  Duplicate: 'The same request is being carried out, or was done before.',
};

/** docs/errors.md, from the tables that the code itself uses. */
export function errorsPage(): string {
  const rows = failureCodes.map((code) => {
    const { retryable, means, next } = failures[code];
    return `| \`${code}\` | ${means} | ${retryable ? 'yes' : 'no'} | ${next} |`;
  });
  return `# Outcomes

Every command ends, for each VM, in exactly one of these.

| outcome | means |
| --- | --- |
| \`Started\` | The VMI is Running and Ready; with \`REQUIRE_AGENT\` its agent has connected too. |
| \`AlreadyOn\` | It was so before; nothing was called. |
| \`Stopped\` | The VMI is gone and nothing is going to start one; the guest ended by itself, or \`observed\` is \`false\`. |
| \`AlreadyOff\` | It was so before; nothing was called. |
| \`ForcedOff\` | The same, but the guest did not end by itself. \`forceReason\`: \`Requested\`, \`GracePeriodExceeded\` (KubeVirt ended it when its period was over), \`GuestIgnoredShutdown\` (forced by us 15 s later), \`RefusedGracefully\`, \`PodDeleted\`. |
| \`InProgress\` | The function's time was up, or the cluster could not be reached; reconcileState goes on from the record. The only one that is not final. |
| \`Superseded\` | A newer command for the other action took over; or the VM was switched by hand, or its guest ended, before the end could be told. |
| \`Skipped\` | On purpose; \`reason\` is one of the next table. |
| \`Failed\` | \`reason\` is one of the last table. |

\`observed: false\` on \`Stopped\` or \`ForcedOff\`: the VM is off, and nobody can say how its guest ended. No watch saw it, and KubeVirt left no VMI and no Event that tells; \`forced\` then says only what is known. It stands on the outcome, in the status, on the Event (annotation \`lifecycle.novasphere.dev/observed\`) and in the outcome event, and is counted apart (\`UnobservedStops\`, \`unobserved\` of a fleet, "end not seen" in \`wukong report\`). Look at the guest's own log, and let a command wait, or reconcileState run every minute.

## Skipped

| reason | means |
| --- | --- |
${skipReasons.map((reason) => `| \`${reason}\` | ${skips[reason]} |`).join('\n')}

## Failed

"Again" says whether the same command may succeed later without anybody doing anything.

| reason | means | again | next step |
| --- | --- | --- | --- |
${rows.join('\n')}

This page is written by \`npm run docs:errors\` from shared/domain/errors.ts, and a test holds it to that.
`;
}

if (import.meta.main) writeFileSync('docs/errors.md', errorsPage());
