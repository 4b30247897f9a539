const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', {}],
    '/node_modules/(?:.*/)?cookie/.+\\.js$': [
      '@swc/jest',
      { swcrc: false, module: { type: 'commonjs' }, jsc: { target: 'es2022' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(?:.*/)?cookie/)'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Its other entry is for import: without this one, 64-bit numbers of etcd would be rounded under Jest.
    '^long$': '<rootDir>/node_modules/long/umd/index.js',
    '^libphonenumber-js(/.*)?$': '<rootDir>/scripts/no-phone-numbers.mjs',
  },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json'],
  testEnvironmentOptions: { customExportConditions: ['development', 'node', 'import'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.orrery/', '<rootDir>/.cache/'],
};

export default {
  // A guard against what hangs, not a measure: keys are made and files are compiled on machines that are busy.
  testTimeout: 60_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,test}/**/*.spec.ts'] },
    { ...shared, displayName: 'int', testMatch: ['<rootDir>/{apps,libs,test}/**/*.int-spec.ts'] },
    { ...shared, displayName: 'e2e', testMatch: ['<rootDir>/{apps,test}/**/*.e2e-spec.ts'] },
  ],
};
