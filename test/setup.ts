import { afterEach } from 'vitest';

import { closeAll } from './closeAfterTest.ts';

// Run for each file of tests; a hook of a module that several files import would be the first file's alone.
afterEach(closeAll);
