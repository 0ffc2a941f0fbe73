import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Longest first, so that no worker is left alone with one of them at the end. */
const longest = [
  ...['property/noninterference', 'property/noninterference.2', 'property/histories.1', 'property/histories.2'],
  ...['flow/neighbours', 'flow/manyNamespaces', 'flow/handingOver', 'year/weeks', 'cli/demo', 'flow/crash'],
  ...['contract/contract', 'cli/habits', 'flow/night', 'cli/power', 'faults/faults', 'cli/cluster'],
].map((name) => `/test/${name}.test.ts`);

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = longest.findIndex((name) => moduleId.endsWith(name));
  return place < 0 ? longest.length : place;
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

/** Stories that change nothing of their process, so that the files of a worker share it and all that was imported. */
const together = ['unit', 'flow', 'sim', 'page', 'property', 'year', 'faults', 'fuzz'].map(
  (room) => `test/${room}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // One more than there are cores: a test of a `wukong` in a process of its own waits for guests half of its time.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['test/setup.ts'],
    projects: [
      { extends: true, test: { name: 'together', include: together, isolate: false } },
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: together } },
    ],
  },
});
