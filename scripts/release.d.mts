export function isLater(next: string, now: string): boolean;
export function releaseNotes(changelog: string, version: string, date: string): string;
export function release(folder: string, version: string | undefined, date: string): string;
