//! On macOS an addon's Node-API symbols are found in the process that loads it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_macos = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    if is_macos && std::env::var_os("CARGO_FEATURE_NODE").is_some() {
        println!("cargo:rustc-cdylib-link-arg=-undefined");
        println!("cargo:rustc-cdylib-link-arg=dynamic_lookup");
    }
}
