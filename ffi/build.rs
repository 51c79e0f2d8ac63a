//! Gives the shared library its soname, and keeps it mapped after `dlclose`: the Rust runtime does not
//! expect to be unloaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target == "linux" {
        let major = std::env::var("CARGO_PKG_VERSION_MAJOR").unwrap_or_default();
        let minor = std::env::var("CARGO_PKG_VERSION_MINOR").unwrap_or_default();
        // Before 1.0 a minor version may break the ABI.
        let version = if major == "0" {
            format!("0.{minor}")
        } else {
            major
        };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmarline.so.{version}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete,-z,now,-z,relro");
    }
}
