// Packages that the bundles of dist/ do not contain: native code, or packages that read files beside themselves.
export const EXTERNAL = [
  '@lydell/node-pty',
  'etcd3',
  'reflect-metadata',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  'protobufjs',
  'spdy-transport',
];

/** Of these, what the one script of all components holds: it has no use for files beside them. */
export const IN_PROGRAM = ['reflect-metadata', '@grpc/grpc-js', 'protobufjs'];
