/** The claim cannot be allocated anywhere as it stands: scheduling of its pod ends. */
export class AllocationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AllocationError';
  }
}

/** This node alone is no place for the claims: its pools contradict themselves. */
export class InvalidPools extends Error {
  constructor() {
    super('invalid resource pools were encountered');
    this.name = 'InvalidPools';
  }
}
