// What fabric-network 2.2, which plans by discovery, can do on a network; one JSON line a check.
//
//   node checks.mjs NETWORK.json CHAINCODE
//
// NETWORK.json is what `gridloom up` writes: endpoints, and where the certificates are.

import { Gateway, Wallets } from 'fabric-network';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const [networkFile, chaincode] = process.argv.slice(2);
const network = JSON.parse(fs.readFileSync(networkFile, 'utf8'));
const [organization] = network.organizations;
const user = organization.users.find((candidate) => candidate.name.startsWith('User1'));
const channel = network.channels[0].name;
const profile = JSON.parse(fs.readFileSync(organization.connection_profile, 'utf8'));

function onlyFileIn(folder) {
    return fs.readFileSync(path.join(folder, fs.readdirSync(folder)[0]), 'utf8');
}

const wallet = await Wallets.newInMemoryWallet();
await wallet.put('user', {
    type: 'X.509',
    mspId: organization.msp_id,
    credentials: {
        certificate: onlyFileIn(path.join(user.msp, 'signcerts')),
        privateKey: onlyFileIn(path.join(user.msp, 'keystore')),
    },
});
const gateway = new Gateway();
await gateway.connect(profile, {
    wallet,
    identity: 'user',
    discovery: { enabled: true, asLocalhost: true },
});
const contracts = await gateway.getNetwork(channel);
const contract = contracts.getContract(chaincode);

async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('it should have failed');
}

function soon(collected, matches) {
    return new Promise((resolve, reject) => {
        const given = Date.now();
        const look = () => {
            const found = collected.find(matches);
            if (found) {
                resolve(found);
            } else if (Date.now() - given > 120000) {
                reject(new Error('nothing came'));
            } else {
                setTimeout(look, 10);
            }
        };
        look();
    });
}

const checks = {
    async evaluate() {
        assert.equal((await contract.evaluateTransaction('get', 'absent')).toString(), '');
    },

    async submit() {
        await contract.submitTransaction('put', 'colour', 'green');
        assert.equal((await contract.evaluateTransaction('get', 'colour')).toString(), 'green');
    },

    async discoveredEndorsers() {
        const handler = contracts.discoveryService.newHandler();
        assert.ok(handler);
        const names = contracts.getChannel().getEndorsers().map((endorser) => endorser.mspid);
        assert.deepEqual([...new Set(names)].sort(), ['Org1MSP', 'Org2MSP']);
        assert.equal(contracts.getChannel().getCommitters().length, 1);
    },

    async transientData() {
        const transaction = contract.createTransaction('transient');
        transaction.setTransient({ secret: Buffer.from('42') });
        assert.deepEqual(JSON.parse((await transaction.submit()).toString()), { secret: '42' });
    },

    async chosenOrganizations() {
        const transaction = contract.createTransaction('put');
        transaction.setEndorsingOrganizations('Org1MSP', 'Org2MSP');
        assert.equal((await transaction.submit('chosen', 'both')).toString(), 'both');
    },

    async chaincodeEvents() {
        const events = [];
        const listener = async (event) => events.push(event);
        await contract.addContractListener(listener);
        await contract.submitTransaction('emit', 'dawn', '06:12');
        const event = await soon(events, ({ eventName }) => eventName === 'dawn');
        assert.equal(event.payload.toString(), '06:12');
        contract.removeContractListener(listener);
    },

    async blockEventsFromTheBeginning() {
        for (const type of ['filtered', 'full', 'private']) {
            const blocks = [];
            const listener = async (event) => blocks.push(event.blockNumber.toString());
            await contracts.addBlockListener(listener, { startBlock: 0, type });
            await soon(blocks, (number) => number === '3');
            assert.deepEqual(blocks.slice(0, 4), ['0', '1', '2', '3']);
            contracts.removeBlockListener(listener);
        }
    },

    async chaincodeErrors() {
        const error = await failure(contract.submitTransaction('fail', 'no more sun'));
        assert.match(error.message, /status=500, message=.*no more sun/);
        assert.equal(error.responses.length, 2);
    },

    async unknownChaincode() {
        const missing = contracts.getContract('missing');
        const error = await failure(missing.submitTransaction('put', 'a', 'b'));
        assert.match(error.message, /failed constructing descriptor for chaincodes:/);
    },

    async unknownChannel() {
        const error = await failure(gateway.getNetwork('nosuch'));
        assert.match(error.message, /access denied/);
    },
};

for (const [name, check] of Object.entries(checks)) {
    const started = performance.now();
    let error = null;
    try {
        await check();
    } catch (caught) {
        error = String(caught.stack ?? caught);
    }
    const milliseconds = Math.round(performance.now() - started);
    console.log(JSON.stringify({ check: name, error, milliseconds }));
}
gateway.disconnect();
