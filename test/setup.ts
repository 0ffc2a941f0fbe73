// Ticks load it when the first calendar file is there; a virtual clock does not wait for a module that is on its way.
import '../shared/schedule/calendarFile.ts';

import { afterEach } from 'vitest';

import { closeAll } from './closeAfterTest.ts';

// Run for each file of tests; a hook of a module that several files import would be the first file's alone.
afterEach(closeAll);
