/**
 * The part of the Container Runtime Interface that these tests speak, with the field numbers of runtime.v1
 * (k8s.io/cri-api, pkg/apis/runtime/v1/api.proto).
 */
import type { Message } from './protobuf.ts';

/** NamespaceMode: what a container shares with the others of its pod. */
export const POD = 0;
export const CONTAINER = 1;
/** ContainerState */
export const EXITED = 2;

const id = { value: [1, 'int'] } as const satisfies Message;

const namespaces = {
  network: [1, 'int'],
  pid: [2, 'int'],
  ipc: [3, 'int'],
} as const satisfies Message;

const securityProfile = { profile_type: [1, 'int'] } as const satisfies Message;

export const sandboxConfig = {
  metadata: [1, { name: [1, 'string'], uid: [2, 'string'], namespace: [3, 'string'], attempt: [4, 'int'] }],
  hostname: [2, 'string'],
  log_directory: [3, 'string'],
  labels: [6, 'map'],
  annotations: [7, 'map'],
  linux: [
    8,
    {
      cgroup_parent: [1, 'string'],
      security_context: [
        2,
        { namespace_options: [1, namespaces], run_as_user: [3, id], readonly_rootfs: [4, 'bool'] },
      ],
    },
  ],
} as const satisfies Message;

export const containerConfig = {
  metadata: [1, { name: [1, 'string'], attempt: [2, 'int'] }],
  image: [2, { image: [1, 'string'] }],
  command: [3, { list: 'string' }],
  args: [4, { list: 'string' }],
  envs: [6, { list: { key: [1, 'string'], value: [2, 'string'] } }],
  mounts: [7, { list: { container_path: [1, 'string'], host_path: [2, 'string'], readonly: [3, 'bool'] } }],
  log_path: [11, 'string'],
  linux: [
    15,
    {
      resources: [
        1,
        {
          cpu_period: [1, 'int'],
          cpu_quota: [2, 'int'],
          cpu_shares: [3, 'int'],
          memory_limit_in_bytes: [4, 'int'],
        },
      ],
      security_context: [
        2,
        {
          capabilities: [1, { drop_capabilities: [2, { list: 'string' }] }],
          namespace_options: [3, namespaces],
          run_as_user: [5, id],
          run_as_group: [12, id],
          readonly_rootfs: [7, 'bool'],
          no_new_privs: [11, 'bool'],
          seccomp: [15, securityProfile],
        },
      ],
    },
  ],
} as const satisfies Message;

const containerStatus = {
  state: [3, 'int'],
  created_at: [4, 'int'],
  started_at: [5, 'int'],
  finished_at: [6, 'int'],
  exit_code: [7, 'int'],
  reason: [10, 'string'],
  message: [11, 'string'],
} as const satisfies Message;

const nothing = {} as const satisfies Message;
const sandboxId = { pod_sandbox_id: [1, 'string'] } as const satisfies Message;
const containerId = { container_id: [1, 'string'] } as const satisfies Message;

/** Method → what it takes and gives. All belong to runtime.v1.RuntimeService. */
export const methods = {
  Status: {
    request: nothing,
    response: {
      status: [
        1,
        { conditions: [1, { list: { type: [1, 'string'], status: [2, 'bool'], message: [4, 'string'] } }] },
      ],
    },
  },
  RunPodSandbox: {
    request: { config: [1, sandboxConfig], runtime_handler: [2, 'string'] },
    response: sandboxId,
  },
  PodSandboxStatus: {
    request: sandboxId,
    response: { status: [1, { network: [5, { ip: [1, 'string'] }], runtime_handler: [9, 'string'] }] },
  },
  StopPodSandbox: { request: sandboxId, response: nothing },
  RemovePodSandbox: { request: sandboxId, response: nothing },
  CreateContainer: {
    request: {
      pod_sandbox_id: [1, 'string'],
      config: [2, containerConfig],
      sandbox_config: [3, sandboxConfig],
    },
    response: containerId,
  },
  StartContainer: { request: containerId, response: nothing },
  StopContainer: { request: { container_id: [1, 'string'], timeout: [2, 'int'] }, response: nothing },
  RemoveContainer: { request: containerId, response: nothing },
  ContainerStatus: {
    request: { container_id: [1, 'string'], verbose: [2, 'bool'] },
    response: { status: [1, containerStatus], info: [2, 'map'] },
  },
} as const satisfies Record<string, { request: Message; response: Message }>;

export type Method = keyof typeof methods;
