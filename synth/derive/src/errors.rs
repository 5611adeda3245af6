//! `#[derive(HandlerError)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "the errors of a handler are an enum: one variant per error name",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "the errors of a handler take no type parameters",
        ));
    }
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                variant,
                "an error that a state machine matches is a name alone: leave the fields out and put them into the message",
            ));
        }
    }
    let ident = &input.ident;
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants.iter().map(ToString::to_string).collect();
    Ok(quote! {
        #[automatically_derived]
        impl ::synth::HandlerError for #ident {
            const NAMES: &'static [::synth::ErrorName] = &[#(::synth::ErrorName(#names)),*];

            fn name(self) -> ::synth::ErrorName {
                match self {
                    #(Self::#variants => ::synth::ErrorName(#names),)*
                }
            }
        }

        #[automatically_derived]
        impl ::synth::stepfunctions::Errors for #ident {
            fn names(&self) -> ::std::vec::Vec<::synth::ErrorName> {
                ::std::vec![::synth::HandlerError::name(*self)]
            }
        }

        #[automatically_derived]
        impl<H: ::synth::Handler<Error = #ident>> ::synth::stepfunctions::RaisedBy<H> for #ident {}
    })
}
