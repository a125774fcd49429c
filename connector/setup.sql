create schema if not exists rowvec;
