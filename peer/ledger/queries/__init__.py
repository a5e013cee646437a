"""Rich queries: CouchDB's Mango selectors over the state, translated to SQL.

    documents   which values are JSON documents, and their bytes as CouchDB returns them
    collation   the order of JSON values, as bytes
    request     the query as a chaincode sends it; selector, evaluate: what it asks for
    indexes     index definitions of chaincode packages; planner: which one serves a query
    sql         the translation; sqlite_dialect, postgres_dialect: the words of each database
    find        one page of a query; scanner: all pages, as Fabric's peer fetches them

(Fabric: core/ledger/kvledger/txmgmt/statedb/statecouchdb; CouchDB: src/mango.)
"""
