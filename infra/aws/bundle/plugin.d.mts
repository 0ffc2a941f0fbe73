import type { Plugin } from 'esbuild';

export declare const lean: Plugin;
declare const plugins: Plugin[];
export default plugins;
