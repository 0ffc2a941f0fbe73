import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PutEntry {
  EventBusName?: string;
  Source: string;
  DetailType: string;
  Detail: string;
}

/** An EventBridge that only takes: what was put, in order. `refuse` decides which entries of a call are not taken. */
export async function takeEvents(refuse: (entry: PutEntry, call: number) => boolean = () => false) {
  const entries: PutEntry[] = [];
  const calls: number[] = [];
  const serve = async (request: IncomingMessage, answer: ServerResponse) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const given = (JSON.parse(text) as { Entries: PutEntry[] }).Entries;
    calls.push(given.length);
    const results = given.map((entry) => {
      if (refuse(entry, calls.length)) return { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };
      entries.push(entry);
      return { EventId: `e-${entries.length}` };
    });
    const FailedEntryCount = results.filter((one) => 'ErrorCode' in one).length;
    answer.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    answer.end(JSON.stringify({ FailedEntryCount, Entries: results }));
  };
  const server = createServer((request, answer) => void serve(request, answer));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    calls,
    close: () => new Promise((closed) => (server.closeAllConnections(), server.close(closed))),
  };
}
