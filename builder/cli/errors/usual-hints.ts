/**
 * What helps with an error that has no hint of its own: it was thrown where only the fault was known, not what the
 * user was about.
 */
const hints: Readonly<Record<string, string>> = {
  E_BASE_EMPTY: "give the ARG of FROM a default, or --build-arg NAME=VALUE",
  E_BUILD_ARG: "give a value that it can have, or leave that --build-arg out",
  E_CGROUP_LIMIT: "leave the limit out, or run where control groups can be made",
  E_COMPRESSION: "make or fetch the archive again",
  E_CONFIG_INVALID: "the image is damaged, or its builder is at fault: pull it again, or build it anew",
  E_DEVICE_EDIT: "see what the device's specification asks for, in /etc/cdi or /var/run/cdi",
  E_DEVICE_FLAG: "write --device=vendor.com/class=name[,required]",
  E_DIGEST_INVALID: "a digest is sha256: and 64 hexadecimal digits",
  E_DIGEST_MISMATCH: "the bytes are damaged: make or fetch them again",
  E_DIRECTIVE: "directives are # syntax=, # escape= and # check=, once each, at the top of the file",
  E_DOCKERFILE_SIZE: "is it a Dockerfile?",
  E_DOCKERFILE_SYNTAX: "see the instruction's form: https://docs.docker.com/reference/dockerfile/",
  E_EXPAND: "forms are $v ${v} ${v:-w} ${v:+w} ${v:?text} ${v#pattern} ${v%pattern} ${v/from/to}; \\$ is a dollar sign",
  E_EXPOSE: "write EXPOSE 8080, 8080/udp or 8000-8010",
  E_FLAG_UNKNOWN: "see the instruction's flags: https://docs.docker.com/reference/dockerfile/",
  E_GIT_SUBDIR: "give a directory of the repository: URL#REF:DIRECTORY",
  E_GIT_URL: "write https://host/repository.git#REF:DIRECTORY",
  E_HEREDOC: "end it with its word, alone on a line",
  E_LAYER_CHANGED: "make it anew: tsbuild prune --all, then build or pull again",
  E_LAYER_DIGEST_MISMATCH: "make it anew: tsbuild prune --all, then build or pull again",
  E_LAYER_ENTRY: "whoever made the layer or archive has to change that entry",
  E_LAYER_NAME: "remove or rename it in the same RUN",
  E_MANIFEST_INVALID: "the image is damaged, or its registry or builder is at fault: pull it again, or build it anew",
  E_MOUNT_FLAG: "see the forms: https://docs.docker.com/reference/dockerfile/#run---mount",
  E_MOUNT_OPTION: "leave the option out",
  E_NETWORK_NAMESPACE: "use the host's network: --network host",
  E_NETWORK_SUBNET: "use the host's network: --network host",
  E_ONBUILD: "see the triggers: tsbuild inspect -f '{{.Config.OnBuild}}' IMAGE",
  E_ONBUILD_FROM: "begin a new stage with a FROM of its own",
  E_PATTERN_INVALID: "close the bracket, or write \\[ for the character itself",
  E_PLATFORM_INVALID: "a platform is os/arch or os/arch/variant: linux/amd64, linux/arm/v7",
  E_PLATFORM_MISSING: "give another --platform, or leave it out",
  E_REF_INVALID: "an image name is [host[:port]/]name[:tag], in lower case",
  E_RUN_FAILED: "what it printed in all: tsbuild logs; a shell in the state that it left: --shell-on-fail",
  E_SECCOMP_PROFILE: "use a profile of docker's form",
  E_SECRET_READ: "check the path or variable of --secret",
  E_SIGNAL_INVALID: "write a name or number: SIGTERM, 15",
  E_SIZE_MISMATCH: "the bytes are damaged: make or fetch them again",
  E_SSH_KEY: "give a private key made by ssh-keygen, or the socket of an agent",
  E_STAGE_NAME: "a stage's name begins with a letter, then letters, digits and _ . - follow",
  E_STAGE_NOT_FOUND: "list the stages: tsbuild --call=targets .",
  E_STAGE_ORDER: "move the stage up: COPY --from reads from earlier ones",
  E_SYMLINK_LOOP: "remove one of the links that point at each other",
  E_TAR_INVALID: "make or fetch the archive again",
  E_TAR_TRUNCATED: "make or fetch the archive again",
  E_TARGET_NOT_FOUND: "name a stage: FROM image AS name; tsbuild --call=targets . lists them",
  E_URL_REDIRECT: "give the address that it leads to",
  E_USER_INVALID: "give a number from 0 to 2147483647, or a name of /etc/passwd or /etc/group",
  E_VOLUME_EMPTY: "give a path: VOLUME /data",
};
const table: ReadonlyMap<string, string> = new Map(Object.entries(hints));

/** undefined: an error with this code has to have its own. */
export function usualHint(code: string): string | undefined {
  return table.get(code);
}
