import { LOCALHOST_CERTIFICATE, LOCALHOST_KEY } from './localhost-pair.js';

/** What image files are made from. */
export interface ImageFacts {
  /** Of a program of ours, as a shell command that takes the words behind it. */
  readonly program: string;
  /** Whether the container may not gain privileges. */
  readonly noNewPrivileges: boolean;
}

/** A file that the image holds; a folder when it has no text. */
export interface ImageFile {
  readonly path: string;
  readonly text?: string;
  readonly mode: number;
}

/** An image as its Dockerfile would tell it, for images whose programs are files of theirs. */
export interface ImageDefinition {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Of the image's user; 0 = root. */
  readonly uid?: number;
  /** Further groups that the image's /etc/group gives to users, by their id. */
  readonly groups?: Readonly<Record<number, readonly number[]>>;
  files(facts: ImageFacts): readonly ImageFile[];
}

const script = (path: string, text: string): ImageFile => ({
  path,
  text: `#!/bin/sh\n${text}\n`,
  mode: 0o755,
});

/** Tools for DNS and connections, from the distribution below the image. */
const tools = ({ program }: ImageFacts): ImageFile[] =>
  ['dig', 'nslookup', 'nc'].map((name) =>
    script(`/usr/local/bin/${name}`, `exec ${program} ${name} ${name} "$@"`),
  );

const agnhostFiles = (facts: ImageFacts): ImageFile[] => [
  ...['/agnhost', '/agnhost-2'].map((path) => script(path, `exec ${facts.program} "$0" "$@"`)),
  ...tools(facts),
  { path: '/localhost.crt', text: LOCALHOST_CERTIFICATE, mode: 0o644 },
  { path: '/localhost.key', text: LOCALHOST_KEY, mode: 0o644 },
  { path: '/uploads', mode: 0o777 },
];

const AGNHOST: ImageDefinition = {
  entrypoint: ['/agnhost'],
  cmd: ['pause'],
  // k8s test/images/agnhost/Dockerfile: default-user is in group-defined-in-image.
  groups: { 1000: [50_000] },
  files: agnhostFiles,
};

/** Tools of images that this machine may lack, by the image's name: settings of the kernel are read as busybox's sysctl does. */
export const TOOLS: Readonly<Record<string, readonly ImageFile[]>> = {
  busybox: [
    script(
      '/usr/local/bin/sysctl',
      'for name in "$@"; do echo "$name = $(cat "/proc/sys/$(echo "$name" | tr . /)")" || exit 1; done',
    ),
  ],
};

/** What the images of upstream's tests are built on, seen where an image is mounted as a volume. */
export const BASE_FILES: readonly ImageFile[] = [
  {
    path: '/etc/os-release',
    text: 'NAME="Alpine Linux"\nID=alpine\nPRETTY_NAME="Alpine Linux"\n',
    mode: 0o644,
  },
];

/** The two faces of upstream's update demo (k8s test/images/{kitten,nautilus}). */
const updateDemo = (name: string): ImageDefinition => ({
  entrypoint: [],
  cmd: ['/agnhost', 'test-webserver'],
  files: (facts) => [
    ...agnhostFiles(facts),
    { path: '/data.json', text: `{\n"image":"${name}.jpg"\n}\n`, mode: 0o644 },
    { path: `/${name}.jpg`, text: '', mode: 0o644 },
  ],
});

/** A program that root owns and whose owner it becomes, unless the container may not gain privileges. */
const NONEWPRIVS: ImageDefinition = {
  entrypoint: [],
  cmd: ['nnp'],
  files: ({ noNewPrivileges }) => [
    script('/usr/local/bin/nnp', `echo "Effective uid: ${noNewPrivileges ? '$(id -u)' : '0'}"`),
  ],
};

const DNS_TOOLS: ImageDefinition = {
  entrypoint: [],
  cmd: ['bash'],
  files: tools,
};

const NONROOT: ImageDefinition = { entrypoint: [], cmd: ['sh'], uid: 1234, files: () => [] };

export const IMAGE_DEFINITIONS: Readonly<Record<string, ImageDefinition>> = {
  agnhost: AGNHOST,
  nautilus: updateDemo('nautilus'),
  kitten: updateDemo('kitten'),
  nonewprivs: NONEWPRIVS,
  nonroot: NONROOT,
  'jessie-dnsutils': DNS_TOOLS,
};
