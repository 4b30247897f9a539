export async function measureRunning() {}
