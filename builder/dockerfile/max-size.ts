/** Bytes of the largest Dockerfile that is read: no sane one is larger. */
export const maxDockerfile: number = 4 << 20;
