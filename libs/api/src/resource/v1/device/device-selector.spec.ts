import { describe, expect, it } from '@jest/globals';
import type { Device } from '../../../gen/types/resource.v1.js';
import { DeviceSelectorProgram } from './device-selector.js';

const DRIVER = 'gpu.example.com';
const device: Device = {
  name: 'gpu-0',
  attributes: {
    model: { string: 'a100' },
    cores: { int: 108 },
    'other.example.com/healthy': { bool: true },
    firmware: { version: '1.10.2' },
    links: { strings: ['l0', 'l1'] },
  },
  capacity: { memory: { value: '40Gi' } },
};

describe(DeviceSelectorProgram.name, () => {
  it.each([
    { name: 'the driver', expression: `device.driver == "${DRIVER}"`, want: true },
    {
      name: 'an attribute of the driver’s own domain',
      expression: `device.attributes["${DRIVER}"].model == "a100"`,
      want: true,
    },
    {
      name: 'a number',
      expression: `device.attributes["${DRIVER}"].cores >= 109`,
      want: false,
    },
    {
      name: 'an attribute of another domain',
      expression: 'device.attributes["other.example.com"].healthy',
      want: true,
    },
    {
      name: 'a version',
      expression: `device.attributes["${DRIVER}"].firmware.isGreaterThan(semver("1.9.0"))`,
      want: true,
    },
    {
      name: 'a capacity',
      expression: `device.capacity["${DRIVER}"].memory.compareTo(quantity("40960Mi")) >= 0`,
      want: true,
    },
    {
      name: 'a list',
      expression: `device.attributes["${DRIVER}"].links.exists(l, l == "l1")`,
      want: true,
    },
    {
      name: 'a domain that is not there, as an empty one',
      expression: 'has(device.attributes["none.example.com"].x)',
      want: false,
    },
    {
      name: 'whether a domain is there',
      expression: '"none.example.com" in device.attributes',
      want: false,
    },
    {
      name: 'a name for a part',
      expression: `cel.bind(gpu, device.attributes["${DRIVER}"], gpu.cores > 100 && gpu.model == "a100")`,
      want: true,
    },
    {
      name: 'that a device may be shared',
      expression: 'device.allowMultipleAllocations',
      want: false,
    },
  ])('knows $name', ({ expression, want }) => {
    const selector = new DeviceSelectorProgram(expression);
    expect(selector.problem).toBeUndefined();
    expect(selector.matches(DRIVER, device)).toBe(want);
    expect(selector.matches(DRIVER, device)).toBe(want);
  });

  it.each([
    {
      name: 'an attribute that is not there',
      expression: `device.attributes["${DRIVER}"].nope == 1`,
      want: 'no such key: nope',
    },
    {
      name: 'a result that is no bool',
      expression: `device.attributes["${DRIVER}"].model`,
      want: 'could not be converted to bool',
    },
    { name: 'what does not compile', expression: 'device.nope', want: 'undefined field' },
  ])('refuses $name', ({ expression, want }) => {
    expect(() => new DeviceSelectorProgram(expression).matches(DRIVER, device)).toThrow(want);
  });
});
