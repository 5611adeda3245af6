//! The derive macros of the typed DSL.
//!
//! [`Shape`](macro@Shape) lets a struct or a string enum be the data of a state machine, [`HandlerError`](macro@HandlerError)
//! lets an enum be the errors of a handler. Use both through the DSL's library, which re-exports them next to their traits.
//!
//! This crate reads the tokens of the type that it is put on and writes implementations of the DSL's traits. It never
//! decides what a name on the wire is (serde does; a mismatch is found by the JSON Schema at synthesis), and it never
//! looks beyond the one type.

mod errors;
mod names;
mod shape;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct with named fields, or an enum of unit variants, data that a state machine can pass on.
///
/// For a struct `Source` it writes the struct `SourceExpr` with one public `Expr<FieldType>` per field, which is both what
/// an `Expr<Source>` offers to read and what one is built from. The type must also derive `serde::Serialize` and
/// `schemars::JsonSchema`.
#[proc_macro_derive(Shape, attributes(serde))]
pub fn derive_shape(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    shape::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an enum of unit variants the errors of a handler: each variant's name is the error name that `Retry` and `Catch` match.
#[proc_macro_derive(HandlerError)]
pub fn derive_handler_error(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    errors::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
