import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { tryTool } from '../tool.js';
import { CNI_ERROR, CniError } from './cni.js';
import type { CniCall, CniObject, CniPlugin } from './cni.js';

/** The environment of a call, beside the caller's own. */
const environmentOf = (call: CniCall): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) =>
      value === undefined || key.startsWith('CNI_') ? [] : [[key, value]],
    ),
  ),
  CNI_COMMAND: call.command,
  CNI_CONTAINERID: call.containerId,
  CNI_NETNS: call.netns,
  CNI_IFNAME: call.ifName,
  CNI_ARGS: call.args,
  CNI_PATH: call.path.join(':'),
});

const parse = (text: string): CniObject | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as CniObject) : undefined;
  } catch {
    return undefined;
  }
};

function refusal(stdout: string, stderr: string, code: number): CniError {
  const said = parse(stdout);
  if (typeof said?.['msg'] !== 'string')
    // libcni pkg/invoke/raw_exec.go:pluginErr
    return new CniError(
      CNI_ERROR.io,
      stdout.trim() === '' && stderr.trim() === ''
        ? `netplugin failed with no error message: exit status ${code}`
        : `netplugin failed: ${JSON.stringify(stderr.trim() || stdout.trim())}`,
    );
  const details = said['details'];
  return new CniError(
    typeof said['code'] === 'number' ? said['code'] : CNI_ERROR.io,
    said['msg'],
    typeof details === 'string' ? details : '',
  );
}

/** Finds the program of a plugin type; rejects with CniError when no folder has it. */
async function locate(type: string, path: readonly string[]): Promise<string> {
  if (type.includes('/'))
    throw new CniError(CNI_ERROR.invalidConfig, `invalid plugin name: ${type}`);
  for (const folder of path) {
    const file = join(folder, type);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // The next folder.
    }
  }
  throw new CniError(
    CNI_ERROR.invalidConfig,
    `failed to find plugin "${type}" in path [${path.join(' ')}]`,
  );
}

/** A plugin that is a program, as any in /opt/cni/bin. */
export class ExecPlugin implements CniPlugin {
  constructor(private readonly type: string) {}

  async exec(call: CniCall, config: CniObject): Promise<CniObject | undefined> {
    const file = await locate(this.type, call.path);
    const { code, stdout, stderr } = await tryTool(file, [], {
      input: JSON.stringify(config),
      env: environmentOf(call),
    });
    if (code !== 0) throw refusal(stdout, stderr, code);
    if (stdout.trim() === '') return undefined;
    const answer = parse(stdout);
    if (!answer)
      throw new CniError(CNI_ERROR.decoding, `plugin answered no JSON: ${stdout.slice(0, 200)}`);
    return answer;
  }
}
