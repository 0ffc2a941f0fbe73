import sortImports from 'eslint-plugin-simple-import-sort';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';

const top = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '.serverless/', 'coverage/', 'bench/results.json'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    plugins: { 'sort-imports': sortImports },
    languageOptions: { parserOptions: { project: join(top, 'tsconfig.json'), tsconfigRootDir: top } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'sort-imports/imports': 'error',
      'sort-imports/exports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-duplicate-imports': 'error',
      'no-empty': 'error',
      'no-fallthrough': 'error',
      'no-restricted-imports': [
        'error',
        {
          name: '@kubernetes/client-node',
          importNames: ['loadYaml', 'loadAllYaml', 'dumpYaml'],
          message: 'It renames keys (default becomes _default): use the yaml package.',
        },
      ],
    },
  },
  {
    files: ['shared/**/*.ts', 'functions/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Only shared/time/clock.ts touches time.' },
        { name: 'setInterval', message: 'Only shared/time/clock.ts touches time.' },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'now is an argument; only shared/time/clock.ts touches time.' },
      ],
    },
  },
  {
    files: ['shared/time/clock.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
);
