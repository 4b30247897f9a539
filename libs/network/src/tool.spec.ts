import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@orrery/component';
import { needTools } from './tool.js';

describe(needTools.name, () => {
  it('finds what is installed', async () => {
    await expect(needTools('sh', 'cat')).resolves.toBeUndefined();
  });

  it('names the first that is not', async () => {
    await expect(needTools('sh', 'no-such-tool', 'nor-this')).rejects.toMatchObject({
      name: ConfigError.name,
      message: 'the program no-such-tool is not there',
    });
  });
});
