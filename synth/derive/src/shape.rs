//! `#[derive(Shape)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Ident, Type, Visibility};

use crate::names::{Attributes, renamed};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "the data of a state machine takes no type parameters",
        ));
    }
    let attributes = Attributes::of(&input.attrs)?;
    if let Some(attribute) = attributes.hides {
        return Err(Error::new_spanned(
            &input.ident,
            format!("`#[serde({attribute})]` leaves no fields to read: use a plain struct or an enum of unit variants"),
        ));
    }
    match &input.data {
        Data::Struct(data) => expand_struct(input, data, attributes.rename_all.as_deref()),
        Data::Enum(data) => expand_enum(input, data),
        Data::Union(_) => Err(Error::new_spanned(&input.ident, "a union has no JSON")),
    }
}

fn expand_enum(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                variant,
                "a state machine reads an enum of unit variants: put the data into optional fields of a struct beside it",
            ));
        }
    }
    let ident = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::synth::stepfunctions::Shape for #ident {
            type Fields = ();

            fn fields(_: &::synth::stepfunctions::Expr<Self>) {}
        }
    })
}

/// A field as the generated code names it.
struct Field<'a> {
    ident: &'a Ident,
    kind: &'a Type,
    on_the_wire: String,
}

fn fields_of<'a>(data: &'a DataStruct, rename_all: Option<&str>) -> syn::Result<Vec<Field<'a>>> {
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new_spanned(
            &data.fields,
            "the data of a state machine is a struct with named fields",
        ));
    };
    named
        .named
        .iter()
        .map(|field| {
            let Some(ident) = &field.ident else {
                return Err(Error::new_spanned(field, "the data of a state machine is a struct with named fields"));
            };
            let attributes = Attributes::of(&field.attrs)?;
            if let Some(attribute) = attributes.hides {
                return Err(Error::new_spanned(
                    ident,
                    format!("`#[serde({attribute})]` leaves no field of this name in the JSON, so no state can read or set it"),
                ));
            }
            let plain = ident.to_string();
            let plain = plain.strip_prefix("r#").unwrap_or(&plain);
            let on_the_wire = attributes.rename.unwrap_or_else(|| renamed(plain, rename_all));
            Ok(Field { ident, kind: &field.ty, on_the_wire })
        })
        .collect()
}

fn expand_struct(input: &DeriveInput, data: &DataStruct, rename_all: Option<&str>) -> syn::Result<TokenStream> {
    let fields = fields_of(data, rename_all)?;
    let ident = &input.ident;
    let visibility: &Visibility = &input.vis;
    let companion = format_ident!("{ident}Expr");
    let about = format!(
        "The fields of a [`{ident}`] as expressions of a state machine: read from one, or put together to build one."
    );
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let kinds: Vec<_> = fields.iter().map(|field| field.kind).collect();
    let names: Vec<_> = fields.iter().map(|field| field.on_the_wire.as_str()).collect();
    let abouts = fields.iter().map(|field| format!("The field `{}`.", field.on_the_wire));
    Ok(quote! {
        #[doc = #about]
        #[derive(Clone)]
        #visibility struct #companion {
            #(
                #[doc = #abouts]
                pub #idents: ::synth::stepfunctions::Expr<#kinds>,
            )*
        }

        #[automatically_derived]
        impl ::synth::stepfunctions::Shape for #ident {
            type Fields = #companion;

            fn fields(expression: &::synth::stepfunctions::Expr<Self>) -> #companion {
                let _ = expression;
                #companion {
                    #(#idents: ::synth::stepfunctions::Expr::field_of(expression, #names),)*
                }
            }
        }

        #[automatically_derived]
        impl ::synth::stepfunctions::Expression for #companion {
            type Of = #ident;

            fn expression(self) -> ::synth::stepfunctions::Expr<#ident> {
                ::core::convert::Into::into(self)
            }
        }

        #[automatically_derived]
        impl ::synth::stepfunctions::IntoExpr<#ident> for #companion {
            fn into_expr(self) -> ::synth::stepfunctions::Expr<#ident> {
                ::core::convert::Into::into(self)
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#companion> for ::synth::stepfunctions::Expr<#ident> {
            fn from(fields: #companion) -> Self {
                let _ = &fields;
                ::synth::stepfunctions::Expr::object_of(::std::vec![
                    #((#names, ::synth::stepfunctions::Expr::erase(fields.#idents)),)*
                ])
            }
        }
    })
}
