//! containerd-shim-wasmedge-v1: containerd starts it as the runtime `io.containerd.wasmedge.v1`.
//! runwasi's library does the containers (namespaces, cgroups, containerd's protocol); this file runs one module in one
//! of them. Containers whose entry point is a Linux program (a pod's pause container) the library runs by itself.

use std::collections::HashMap;

use anyhow::{Context, Result};
use caps::{CapSet, Capability};
use containerd_shim_wasm::sandbox::Sandbox;
use containerd_shim_wasm::sandbox::context::{Entrypoint, RuntimeContext};
use containerd_shim_wasm::shim::{Cli, Config, Shim, Version, version};
use wasmedge_sdk::error::{CoreCommonError, CoreError, WasmEdgeError};
use wasmedge_sdk::vm::SyncInst;
use wasmedge_sdk::wasi::WasiModule;
use wasmedge_sdk::{Module, Store, Vm};

struct WasmEdgeShim;

#[derive(Clone, Default)]
struct WasmEdgeSandbox;

impl Shim for WasmEdgeShim {
    type Sandbox = WasmEdgeSandbox;

    fn name() -> &'static str {
        "wasmedge"
    }

    fn version() -> Version {
        version!()
    }
}

impl Sandbox for WasmEdgeSandbox {
    /// Runs the module of the container's entry point and gives its exit code. An error (a trap, a module that cannot be
    /// loaded) is told on the container's stderr and ends it with 1, as crun does; the library's own code for it, 137,
    /// looks like a container that was killed.
    async fn run_wasi(&self, ctx: &impl RuntimeContext) -> Result<i32> {
        drop_capabilities()?;
        end_on_sigterm();
        Ok(run(ctx).unwrap_or_else(|error| {
            eprintln!("wasmedge: {error:#}");
            1
        }))
    }
}

fn run(ctx: &impl RuntimeContext) -> Result<i32> {
    let Entrypoint { func, source, .. } = ctx.entrypoint();
    let bytes = source.as_bytes().context("the module cannot be read")?;
    let module = Module::from_bytes(None, bytes).context("the module cannot be loaded")?;

    let args = ctx.args().iter().map(String::as_str).collect();
    let envs = ctx.envs().iter().map(String::as_str).collect();
    let mut wasi = WasiModule::create(Some(args), Some(envs), Some(vec!["/:/"]))?;
    let mut imports: HashMap<String, &mut dyn SyncInst> = HashMap::new();
    imports.insert(wasi.name().to_string(), wasi.as_mut());

    let mut vm = Vm::new(Store::new(None, imports)?);
    vm.register_module(None, module)
        .context("the module cannot be instantiated")?;
    let outcome = vm.run_func(None, &func, []);
    drop(vm);
    match outcome {
        Ok(_) => Ok(wasi.exit_code() as i32),
        Err(error) if is_proc_exit(&error) => Ok(wasi.exit_code() as i32),
        Err(error) => Err(error).with_context(|| format!("{func} ended with a trap")),
    }
}

/// WasmEdge tells `proc_exit` as an error of its own.
fn is_proc_exit(error: &WasmEdgeError) -> bool {
    matches!(
        error,
        WasmEdgeError::Core(CoreError::Common(CoreCommonError::Terminated))
    )
}

/// The library sets the capabilities that the container's specification lists and takes "none" for "leave them as they
/// are", which is made good for programs of Linux when they are executed. A module is not executed, and needs none.
fn drop_capabilities() -> Result<()> {
    // Who may not drop from the bounding set has nothing to lose by it: with no_new_privs and nothing to execute, what
    // stays in it is never given.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        caps::clear(None, CapSet::Bounding).context("the bounding set cannot be cleared")?;
    }
    for set in [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ] {
        caps::clear(None, set).with_context(|| format!("the {set:?} set cannot be cleared"))?;
    }
    Ok(())
}

/// The kernel ignores SIGTERM for the first process of a PID namespace unless that process handles it, and WASI has no
/// signals: without this a pod would stop only after its whole grace period.
fn end_on_sigterm() {
    extern "C" fn end(signal: libc::c_int) {
        // SAFETY: _exit is async-signal-safe.
        unsafe { libc::_exit(128 + signal) }
    }
    // SAFETY: the handler calls nothing but _exit.
    unsafe { libc::signal(libc::SIGTERM, end as *const () as libc::sighandler_t) };
}

fn main() {
    WasmEdgeShim::run(Config {
        default_log_level: "error".to_string(),
        ..Default::default()
    });
}
