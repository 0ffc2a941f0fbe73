/** How long telling the end may take: its own limit, never the one that has just run out (STYLE 8). */
export const tellingMs = 8_000;
