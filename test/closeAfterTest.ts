interface Open {
  close(): unknown;
}
const open: Open[] = [];

/** It is closed when the test has ended. */
export const closeAfterTest = (one: Open): void => void open.push(one);

/** What was opened last is closed first. */
export async function closeAll(): Promise<void> {
  for (const one of open.splice(0).reverse()) await one.close();
}
