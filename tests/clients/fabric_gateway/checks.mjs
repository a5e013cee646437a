// What the official gateway client can do on a network; one JSON line for each check.
//
//   node checks.mjs NETWORK.json CHAINCODE
//
// NETWORK.json is what `gridloom up` writes: endpoints, and where the certificates are.

import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers, StatusCode } from '@hyperledger/fabric-gateway';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const [networkFile, chaincode] = process.argv.slice(2);
const network = JSON.parse(fs.readFileSync(networkFile, 'utf8'));
const organization = network.organizations[0];
const [peer] = organization.peers;
const user = organization.users.find((candidate) => candidate.name.startsWith('User1'));
const channel = network.channels[0].name;
const decode = (bytes) => Buffer.from(bytes).toString('utf8');

function onlyFileIn(folder) {
    return fs.readFileSync(path.join(folder, fs.readdirSync(folder)[0]));
}

const credentials = onlyFileIn(path.join(user.msp, 'signcerts'));
const privateKey = crypto.createPrivateKey(onlyFileIn(path.join(user.msp, 'keystore')));
const identity = { mspId: organization.msp_id, credentials };
const client = new grpc.Client(
    peer.endpoint,
    grpc.credentials.createSsl(fs.readFileSync(peer.tls_root)),
    { 'grpc.ssl_target_name_override': peer.name },
);
const deadline = () => ({ deadline: Date.now() + 120000 });
const gateway = connect({
    client,
    identity,
    signer: signers.newPrivateKeySigner(privateKey),
    hash: hash.sha256,
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
});
const contract = gateway.getNetwork(channel).getContract(chaincode);

async function first(events, matches) {
    try {
        for await (const event of events) {
            if (matches(event)) {
                return event;
            }
        }
    } finally {
        events.close();
    }
    throw new Error('the stream ended');
}

async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('it succeeded');
}

const checks = {
    async evaluate() {
        assert.equal(decode(await contract.evaluateTransaction('get', 'nothing-here')), '');
    },

    async submit() {
        assert.equal(decode(await contract.submitTransaction('put', 'submit', 'one')), 'one');
        assert.equal(decode(await contract.evaluateTransaction('get', 'submit')), 'one');
    },

    async submitAsyncWithStatus() {
        const commit = await contract.submitAsync('put', { arguments: ['async', 'two'] });
        assert.equal(decode(commit.getResult()), 'two');
        const status = await commit.getStatus();
        assert.equal(status.successful, true);
        assert.equal(status.code, StatusCode.VALID);
        assert.equal(status.transactionId, commit.getTransactionId());
        assert.ok(status.blockNumber > 0n);
    },

    async transientData() {
        const result = await contract.submit('transient', {
            transientData: { secret: 'nobody-else' },
            endorsingOrganizations: network.organizations.map((each) => each.msp_id),
        });
        assert.deepEqual(JSON.parse(decode(result)), { secret: 'nobody-else' });
    },

    async offlineSigning() {
        const sign = signers.newPrivateKeySigner(privateKey);
        const offline = connect({ client, identity, hash: hash.sha256 });
        const unsigned = offline
            .getNetwork(channel)
            .getContract(chaincode)
            .newProposal('put', { arguments: ['offline', 'three'] });
        const proposal = offline.newSignedProposal(
            unsigned.getBytes(),
            await sign(unsigned.getDigest()),
        );
        const endorsed = await proposal.endorse(deadline());
        const transaction = offline.newSignedTransaction(
            endorsed.getBytes(),
            await sign(endorsed.getDigest()),
        );
        const submitted = await transaction.submit(deadline());
        const commit = offline.newSignedCommit(
            submitted.getBytes(),
            await sign(submitted.getDigest()),
        );
        const status = await commit.getStatus(deadline());
        assert.equal(status.successful, true);
        assert.equal(decode(transaction.getResult()), 'three');
    },

    async chaincodeEvents() {
        const events = await gateway.getNetwork(channel).getChaincodeEvents(chaincode);
        const seen = first(events, (event) => event.eventName === 'sunrise');
        const commit = await contract.submitAsync('emit', { arguments: ['sunrise', 'payload'] });
        const event = await seen;
        assert.equal(decode(event.payload), 'payload');
        assert.equal(event.transactionId, commit.getTransactionId());
        assert.equal(event.chaincodeName, chaincode);
    },

    async chaincodeEventsReplayed() {
        const commit = await contract.submitAsync('emit', { arguments: ['replayed', 'again'] });
        const { blockNumber } = await commit.getStatus();
        const events = await gateway
            .getNetwork(channel)
            .getChaincodeEvents(chaincode, { startBlock: blockNumber });
        const event = await first(events, () => true);
        assert.equal(event.blockNumber, blockNumber);
        assert.equal(event.eventName, 'replayed');
    },

    async blockEvents() {
        const blocks = await gateway.getNetwork(channel).getBlockEvents({ startBlock: 0n });
        const block = await first(blocks, () => true);
        assert.equal(block.getHeader().getNumber(), 0);
        assert.equal(block.getData().getDataList().length, 1);
    },

    async filteredBlockEvents() {
        const commit = await contract.submitAsync('put', { arguments: ['filtered', 'four'] });
        const { blockNumber } = await commit.getStatus();
        const blocks = await gateway
            .getNetwork(channel)
            .getFilteredBlockEvents({ startBlock: blockNumber });
        const block = await first(blocks, () => true);
        const ids = block.getFilteredTransactionsList().map((each) => each.getTxid());
        assert.ok(ids.includes(commit.getTransactionId()));
    },

    async blockAndPrivateDataEvents() {
        const blocks = await gateway
            .getNetwork(channel)
            .getBlockAndPrivateDataEvents({ startBlock: 0n });
        const event = await first(blocks, () => true);
        assert.equal(event.getBlock().getHeader().getNumber(), 0);
    },

    async endorsementFailureWithDetails() {
        const error = await failure(contract.submitTransaction('fail', 'no sun today'));
        assert.equal(error.constructor.name, 'EndorseError');
        assert.equal(error.code, grpc.status.ABORTED);
        assert.equal(error.details.length, 1);
        assert.equal(error.details[0].mspId, organization.msp_id);
        assert.equal(error.details[0].address, peer.endpoint);
        assert.match(error.details[0].message, /chaincode response 500, .*no sun today/s);
    },

    async differingEndorsements() {
        const error = await failure(contract.submitTransaction('differ'));
        assert.equal(error.constructor.name, 'EndorseError');
        assert.equal(error.code, grpc.status.ABORTED);
        assert.match(error.details[0].message, /ProposalResponsePayloads do not match/);
    },

    async unknownChaincode() {
        const missing = gateway.getNetwork(channel).getContract('missing');
        const error = await failure(missing.submitTransaction('put', 'a', 'b'));
        assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
    },

    async mvccConflict() {
        const endorsed = await Promise.all(
            [1, 2].map(() =>
                contract.newProposal('increment', { arguments: ['contended'] }).endorse(),
            ),
        );
        const commits = await Promise.all(endorsed.map((transaction) => transaction.submit()));
        const codes = (await Promise.all(commits.map((commit) => commit.getStatus()))).map(
            (status) => status.code,
        );
        assert.deepEqual(codes.sort((a, b) => a - b), [
            StatusCode.VALID,
            StatusCode.MVCC_READ_CONFLICT,
        ]);
    },
};

for (const [name, check] of Object.entries(checks)) {
    const started = performance.now();
    let error = null;
    try {
        await check();
    } catch (caught) {
        const details = caught.details ? `\n${JSON.stringify(caught.details)}` : '';
        error = `${caught.stack ?? caught}${details}`;
    }
    const milliseconds = Math.round(performance.now() - started);
    console.log(JSON.stringify({ check: name, error, milliseconds }));
}
gateway.close();
client.close();
