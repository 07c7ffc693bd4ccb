//! Every integration test of the project, in one program.
