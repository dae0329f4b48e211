export declare function userCache(env: NodeJS.ProcessEnv): string | undefined;
export declare function isOwn(directory: string): boolean;
