//! What AWS refuses and MiniStack would let pass.
