/** Who sends a request, as the API server knows it. */
export interface User {
  name: string;
  groups: string[];
}
