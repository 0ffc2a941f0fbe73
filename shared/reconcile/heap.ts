import { setFlagsFromString } from 'node:v8';

/**
 * For a process that does nothing but tick. What a tick has read is needed until its end; where memory is small V8 would
 * look through all of it four times meanwhile (docs/decisions/0143). `NODE_OPTIONS` takes no such flag.
 */
export const growHeapForTicks = (): void => setFlagsFromString('--heap-growing-percent=100');
