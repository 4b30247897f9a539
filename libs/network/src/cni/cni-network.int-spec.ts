import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CniNetwork } from './cni-network.js';
import type { Attachment } from './cni-network.js';
import { parseNetworkConfig } from './network-config.js';

/**
 * Records each call as `N-TYPE-COMMAND.{env,json}` and answers what is in `TYPE-COMMAND.answer`, with the exit code of
 * `TYPE-COMMAND.code`; VERSION is answered by itself.
 */
const FAKE = `#!/bin/sh
dir=$(dirname "$0")/calls
type=$(basename "$0")
stdin=$(cat)
if [ "$CNI_COMMAND" = VERSION ]; then
  echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0"]}'
  exit 0
fi
n=$(ls "$dir" | grep -c env)
env | grep ^CNI_ | sort > "$dir/$n-$type-$CNI_COMMAND.env"
printf %s "$stdin" > "$dir/$n-$type-$CNI_COMMAND.json"
answer=$(dirname "$0")/$type-$CNI_COMMAND
[ -e "$answer.answer" ] && cat "$answer.answer"
exit "$(cat "$answer.code" 2>/dev/null || echo 0)"
`;

const ATTACHMENT: Attachment = {
  containerId: 'c1',
  netns: '/run/netns/x',
  ifName: 'eth0',
  args: { IgnoreUnknown: '1', K8S_POD_NAME: 'web' },
  capabilityArgs: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
};
const RESULT = { cniVersion: '1.0.0', ips: [{ address: '10.1.0.2/24' }] };

describe(CniNetwork.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cni-'));
    mkdirSync(join(folder, 'calls'));
    for (const type of ['main', 'second']) {
      writeFileSync(join(folder, type), FAKE);
      chmodSync(join(folder, type), 0o755);
    }
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const answer = (call: string, text: unknown, code = 0): void => {
    writeFileSync(join(folder, `${call}.answer`), JSON.stringify(text));
    writeFileSync(join(folder, `${call}.code`), String(code));
  };
  const network = (more: object = {}): CniNetwork =>
    new CniNetwork(
      parseNetworkConfig(
        JSON.stringify({
          cniVersion: '1.0.0',
          name: 'net',
          plugins: [
            { type: 'main', mtu: 1400 },
            { type: 'second', capabilities: { portMappings: true } },
          ],
          ...more,
        }),
      ),
      { binDirs: ['/nonexistent', folder], cacheDir: join(folder, 'cache') },
    );
  const calls = (): string[] =>
    readdirSync(join(folder, 'calls'))
      .filter((name) => name.endsWith('.env'))
      .map((name) => name.replace('.env', ''))
      .sort();
  const recorded = (call: string): { env: string[]; config: unknown } => ({
    env: readFileSync(join(folder, 'calls', `${call}.env`), 'utf8')
      .trim()
      .split('\n'),
    config: JSON.parse(readFileSync(join(folder, 'calls', `${call}.json`), 'utf8')),
  });

  it('adds by each plugin in turn, with the result so far and the capabilities that it declares', async () => {
    answer('main-ADD', RESULT);
    answer('second-ADD', { ...RESULT, dns: {} });
    expect(await network().add(ATTACHMENT)).toEqual({ ...RESULT, dns: {} });
    expect(recorded('0-main-ADD')).toEqual({
      env: [
        'CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web',
        'CNI_COMMAND=ADD',
        'CNI_CONTAINERID=c1',
        'CNI_IFNAME=eth0',
        'CNI_NETNS=/run/netns/x',
        `CNI_PATH=/nonexistent:${folder}`,
      ],
      config: { cniVersion: '1.0.0', name: 'net', type: 'main', mtu: 1400 },
    });
    expect(recorded('1-second-ADD').config).toEqual({
      cniVersion: '1.0.0',
      name: 'net',
      type: 'second',
      runtimeConfig: ATTACHMENT.capabilityArgs,
      prevResult: RESULT,
    });
  });

  it('keeps the result until the deletion, which runs in reverse order and gets it', async () => {
    answer('main-ADD', RESULT);
    await network().add(ATTACHMENT);
    expect(network().resultOf(ATTACHMENT)).toEqual(RESULT);
    await network({ plugins: [{ type: 'main' }] }).delete({
      ...ATTACHMENT,
      args: {},
      capabilityArgs: {},
    });
    expect(calls()).toEqual(['0-main-ADD', '1-second-ADD', '2-second-DEL', '3-main-DEL']);
    expect(recorded('2-second-DEL')).toMatchObject({
      env: expect.arrayContaining(['CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web']),
      config: { prevResult: RESULT, runtimeConfig: ATTACHMENT.capabilityArgs },
    });
    expect(network().resultOf(ATTACHMENT)).toBeUndefined();
  });

  it('checks with the result that was kept', async () => {
    answer('main-ADD', RESULT);
    await network().add(ATTACHMENT);
    await network().check(ATTACHMENT);
    expect(recorded('2-main-CHECK').config).toMatchObject({ prevResult: RESULT });
    answer('second-CHECK', { code: 100, msg: 'address is gone', details: 'eth0' }, 1);
    await expect(network().check(ATTACHMENT)).rejects.toThrow(
      'plugin type="second" name="net" failed (check): address is gone; eth0',
    );
  });

  it.each([
    { name: 'a list that turns it off', more: { disableCheck: true } },
    { name: 'a version before CHECK', more: { cniVersion: '0.3.1' } },
  ])('does not check for $name', async ({ more }) => {
    answer('main-ADD', RESULT);
    await network(more).add(ATTACHMENT);
    await network(more).check(ATTACHMENT);
    expect(calls()).toEqual(['0-main-ADD', '1-second-ADD']);
  });

  it('takes back what was added when a plugin refuses, and says which', async () => {
    answer('main-ADD', RESULT);
    answer('second-ADD', { cniVersion: '1.0.0', code: 11, msg: 'busy' }, 1);
    await expect(network().add(ATTACHMENT)).rejects.toMatchObject({
      code: 11,
      message: 'plugin type="second" name="net" failed (add): busy',
    });
    expect(calls().slice(2)).toEqual(['2-second-DEL', '3-main-DEL']);
    expect(network().resultOf(ATTACHMENT)).toBeUndefined();
  });

  it.each([
    {
      name: 'a plugin that says nothing',
      code: 3,
      want: 'netplugin failed with no error message: exit status 3',
    },
    {
      name: 'a plugin that is not there',
      type: 'absent',
      want: 'failed to find plugin "absent" in path',
    },
    { name: 'a plugin name with a path', type: '../main', want: 'invalid plugin name: ../main' },
    {
      name: 'a version that the plugin does not speak',
      version: '0.3.0',
      want: 'plugin main does not support config version "0.3.0"',
    },
  ])('refuses $name', async ({ code, type = 'main', version = '1.0.0', want }) => {
    if (code !== undefined) writeFileSync(join(folder, 'main-ADD.code'), String(code));
    const one = network({ cniVersion: version, plugins: [{ type }] });
    await expect(one.add(ATTACHMENT)).rejects.toThrow(want);
  });
});
