/** A mutant that no test can notice, and why. */
export interface Explained {
  /** In shared/, without its ending. */
  file: string;
  /** As the report prints them; one entry stands for all survivors of this text in the file. */
  before: string;
  after: string;
  because: string;
}

export const explained: Explained[] = [];
