// UNCHANGED: the writer's answer to an operation that found nothing left to do.

/** An attempt closed twice, a run finished twice: the promise resolves, and nothing is announced. */
export const UNCHANGED = -1;
