import type { Container } from '@orrery/api';

/** Number of a port given by number or by the name of one of the container's ports. */
export function resolvePort(port: number | string | undefined, container: Container): number {
  const number =
    typeof port === 'number'
      ? port
      : (container.ports?.find((one) => one.name === port)?.containerPort ?? Number(port));
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new Error(`invalid port number: ${String(port)}`);
  return number;
}
