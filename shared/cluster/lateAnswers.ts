import { subscribe } from 'node:diagnostics_channel';

/**
 * A watch that is closed before its answer has begun: for the head that comes late Node makes a stream of its own, which
 * undici has never heard of. Nobody listens to it, so that the loss of its connection would end this process as an
 * uncaught error.
 */
subscribe('http2.client.stream.created', (made) => {
  (made as { stream: NodeJS.EventEmitter }).stream.on('error', () => {});
});
