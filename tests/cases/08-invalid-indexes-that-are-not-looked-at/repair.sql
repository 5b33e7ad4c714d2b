reindex index per_letter_id;
update pg_index set indisvalid = true where indrelid = (select reltoastrelid from pg_class where oid = 'letters'::regclass);
reindex index pg_catalog.pg_description_o_c_o_index;
