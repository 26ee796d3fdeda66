//! A library with a fault that a sanitizer has to find as soon as it is loaded: without that, its
//! silence about the addon says nothing. `CONTROL` says which fault.

#![allow(unsafe_code)]

use std::hint::black_box;

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    match std::env::var("CONTROL").as_deref() {
        Ok("address") => {
            let memory = Box::into_raw(Box::new([1_u8; 64]));
            // SAFETY: there is none, which is the point: the memory is used after it was freed.
            unsafe {
                drop(Box::from_raw(black_box(memory)));
                black_box((*black_box(memory))[7]);
            }
        }
        Ok("leak") => {
            // Several, because a register may still hold the last one.
            for _ in 0..10 {
                black_box(Box::leak(Box::new([1_u8; 4321])));
            }
        }
        _ => {}
    }
}
