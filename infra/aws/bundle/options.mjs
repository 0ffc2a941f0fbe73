/** How a function is bundled: esbuild's options, for the packager and for bench/import.ts alike. */
export const options = {
  bundle: true,
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // The SDK's ES modules: what is not used of them is left out.
  mainFields: ['module', 'main'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};
