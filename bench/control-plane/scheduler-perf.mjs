export async function measurePerf() {}
