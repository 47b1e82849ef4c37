-- The passwords of the compose file, which is to be tried on one machine alone.
ALTER ROLE tocsin PASSWORD 'writer';
ALTER ROLE tocsin_read PASSWORD 'reader';
