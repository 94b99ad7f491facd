// What work takes of this thread's processor, whatever else the machine is at.
/** In milliseconds, since the thread began. */
export function cpuTimeMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
