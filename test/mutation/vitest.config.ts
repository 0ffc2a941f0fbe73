import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files in the order in which related.ts names them: what kills most for least comes first. */
class AsNamed extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => process.argv.findIndex((one) => moduleId.endsWith(`/${one}`));
    return Promise.resolve([...files].sort((a, b) => place(a) - place(b)));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    runner: 'test/mutation/runner.ts',
    sequence: { sequencer: AsNamed },
    setupFiles: ['test/setup.ts'],
    // One test is run with many mutants; the runner has a limit for each.
    testTimeout: 0,
  },
});
