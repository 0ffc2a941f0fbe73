/** How a function is bundled: esbuild's options, for the packager and for bench/import.ts alike. */
export const options = {
  bundle: true,
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // What is imported when it is needed lies in files of its own, which a cold start need not read. Named as the packager
  // wants what is one function's alone: by its handler.
  splitting: true,
  chunkNames: 'handler.[hash]',
  // The SDK's ES modules: what is not used of them is left out.
  mainFields: ['module', 'main'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};
