/** The same throws every time: numbers from 0 to below 1 (Lehmer's generator). */
export function dice(seed = 1): () => number {
  let state = seed % 2_147_483_647;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
